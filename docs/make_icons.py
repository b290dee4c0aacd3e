"""Makes app/static/icons.svg from the icons we use: `npm pack lucide-static`, unpack it, then
`python docs/make_icons.py FOLDER/icons`. Add a name here when a template needs another icon."""

import re
import sys
from pathlib import Path

NAMES = (
    "activity", "arrow-down", "arrow-left", "arrow-right", "arrow-up", "arrow-up-down", "check", "chevron-down",
    "chevron-left", "chevron-right", "chevron-up", "circle-alert", "circle-check", "clock", "copy", "download",
    "ellipsis", "external-link", "eye", "filter", "funnel-x", "history", "inbox", "info", "key", "layers", "link",
    "list-ordered", "lock", "log-in", "log-out", "mail", "minus", "monitor", "moon", "pause", "pencil", "play",
    "plus", "printer", "refresh-cw", "rows-3", "rows-4", "search", "settings", "shield", "smartphone", "sun",
    "trash-2", "triangle-alert", "trophy", "upload", "user", "users", "x",
)
SPRITE = Path(__file__).parent.parent / "app" / "static" / "icons.svg"


def symbol(icon: Path) -> str:
    body = re.search(r"<svg[^>]*>(.*)</svg>", icon.read_text(), re.DOTALL)
    assert body
    shapes = " ".join(body.group(1).split())
    return f'<symbol id="{icon.stem}" viewBox="0 0 24 24">{shapes}</symbol>'


def main(folder: Path) -> None:
    symbols = "\n".join(symbol(folder / f"{name}.svg") for name in NAMES)
    SPRITE.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]))
