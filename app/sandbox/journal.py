"""What happened, one JSON object per line, in a file that outlives the process."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

Entry = dict[str, Any]


class BadJournal(Exception):
    """A file that is not a journal of the sandbox; it is left as it is."""


class Journal:
    """Appended to, never rewritten; without a path it keeps nothing. A line is whole or it did not happen."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def read(self) -> list[Entry]:
        """Every entry. What a kill left torn at the end is cut off, so that the next line starts clean."""
        if self.path is None or not self.path.exists():
            return []
        *lines, torn = self.path.read_bytes().split(b"\n")
        try:
            entries = [json.loads(line) for line in lines]
        except ValueError as error:
            raise self._foreign() from error
        if (lines or torn) and not (entries and isinstance(entries[0], dict) and "what" in entries[0]):
            raise self._foreign()
        os.truncate(self.path, self.path.stat().st_size - len(torn))
        return entries

    def _foreign(self) -> BadJournal:
        return BadJournal(f"{self.path} was not written by the sandbox. Name another file or remove it.")

    def append(self, entry: Entry) -> None:
        """In the kernel's hands when this returns: it survives the end of the process."""
        if self.path is None:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
            self.path.chmod(0o600)
        self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")

    def clear(self) -> None:
        self.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
