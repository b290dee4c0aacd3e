"""Sideline: what a coach needs to know about a competition team, on one page."""

import os

# Piccolo finds its engine through this name; setting it here lets the configuration live inside the package.
os.environ.setdefault("PICCOLO_CONF", "app.piccolo_conf")
