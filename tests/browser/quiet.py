"""The real app, which does not look for alarms by itself: tests open those that they are about."""

from litestar import Litestar

from app import main


def create_app() -> Litestar:
    return main.create_app(is_watching=False)
