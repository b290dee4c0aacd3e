"""Where Piccolo looks for the engine and the list of its apps."""

from piccolo.conf.apps import AppRegistry

from app.database import DB

__all__ = ["APP_REGISTRY", "DB"]

APP_REGISTRY = AppRegistry(apps=["app.piccolo_app"])
