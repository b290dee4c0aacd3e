"""What no template and no script of ours may hold: the content security policy would refuse it, or worse, htmx would
take it for something else."""

import re
from pathlib import Path

import pytest
from jinja2 import nodes

from app.settings import get_settings
from app.web import STATIC, TEMPLATES, template_engine

FORBIDDEN = {
    "an hx-on attribute": r"\bhx-on\b",
    "a js: or javascript: value": r"[\"'{\s](?:js|javascript):",
    "a filter on a trigger": r"hx-trigger\s*=\s*(?:\"[^\"]*\[|'[^']*\[)",
    "a style attribute": r"<[a-z][^<>]*\sstyle\s*=",
    "a style element": r"<style\b",
    "an inline script": r"<script\b(?![^>]*(?:\bsrc=|type=\"application/json\"))",
    "an inline event handler": r"<[a-z][^<>]*\son[a-z]+\s*=",
    "an address of another site": r"(?:src|href|action|hx-get|hx-post)\s*=\s*[\"'](?:https?:)?//",
    "a filter that turns escaping off": r"\|\s*safe\b|autoescape\s+false",
}
TEMPLATE_FILES = sorted(TEMPLATES.rglob("*.html"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
STYLES = sorted((STATIC / "css").glob("*.css"))


def found_in(text: str) -> list[str]:
    return [name for name, pattern in FORBIDDEN.items() if re.search(pattern, text, re.IGNORECASE)]


@pytest.mark.parametrize("path", TEMPLATE_FILES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_template_needs_more_than_the_policy_allows(path: Path) -> None:
    assert found_in(path.read_text()) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('<a hx-on:click="x()">', "an hx-on attribute"),
        ("<a hx-vals='js:{a: 1}'>", "a js: or javascript: value"),
        ('<a href="javascript:x()">', "a js: or javascript: value"),
        ('<a hx-trigger="keyup[key==1]">', "a filter on a trigger"),
        ('<p class="a" style="color: red">', "a style attribute"),
        ("<script>x()</script>", "an inline script"),
        ('<img src="a" onerror="x()">', "an inline event handler"),
        ('<link href="https://cdn.example/a.css">', "an address of another site"),
        ("{{ name | safe }}", "a filter that turns escaping off"),
    ],
)
def test_the_scan_finds_what_it_looks_for(text: str, name: str) -> None:
    assert name in found_in(text)


def test_every_template_compiles_and_every_file_and_icon_it_names_exists() -> None:
    environment = template_engine(get_settings()).engine
    icons = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
    for path in TEMPLATE_FILES:
        name = str(path.relative_to(TEMPLATES))
        environment.get_template(name)
        for call in environment.parse(path.read_text()).find_all(nodes.Call):
            if not (isinstance(call.node, nodes.Name) and call.args and isinstance(call.args[0], nodes.Const)):
                continue
            if call.node.name == "static_url":
                assert (STATIC / call.args[0].value).is_file(), f"{name}: {call.args[0].value}"
            if call.node.name == "icon":
                assert call.args[0].value in icons, f"{name}: {call.args[0].value}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_stay_small_and_evaluate_nothing(path: Path) -> None:
    script = path.read_text()
    assert len(script.splitlines()) < 150
    assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", script)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_take_their_colours_from_the_tokens(path: Path) -> None:
    if path.name in ("tokens.css", "print.css"):
        return
    style = path.read_text()
    assert not re.search(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", style), "a colour outside tokens.css"
    assert "box-shadow" not in style and "url(" not in style


def test_both_dark_themes_say_the_same() -> None:
    """The one that a person fixed and the one that the system asks for."""
    blocks = re.findall(r"\[data-theme=\"(?:dark|system)\"\]\s*{([^}]*)}", (STATIC / "css" / "tokens.css").read_text())
    assert len(blocks) == 2
    first, second = (sorted(line.strip() for line in block.strip().splitlines()) for block in blocks)
    assert first == second
