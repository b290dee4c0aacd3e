"""What happened, one JSON object per line, in a file that outlives the process."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

Entry = dict[str, Any]


class Journal:
    """Appended to, never rewritten; without a path it keeps nothing. A line is whole or it did not happen."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def read(self) -> list[Entry]:
        """Every whole entry. What a kill left torn at the end is cut off, so that the next line starts clean."""
        if self.path is None or not self.path.exists():
            return []
        entries: list[Entry] = []
        end = 0
        with self.path.open("rb") as file:
            for line in file:
                try:
                    entries.append(json.loads(line))
                except ValueError:
                    break
                if not line.endswith(b"\n"):
                    entries.pop()
                    break
                end += len(line)
        os.truncate(self.path, end)
        return entries

    def append(self, entry: Entry) -> None:
        """In the kernel's hands when this returns: it survives the end of the process."""
        if self.path is None:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
            self.path.chmod(0o600)
        self._file.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    def clear(self) -> None:
        self.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
