import asyncio
import email
import email.policy
import shutil
from email.message import EmailMessage
from pathlib import Path

import pytest

from app.services import mail
from app.settings import get_settings


def kept() -> list[Path]:
    return sorted((get_settings().var_dir / "mail").glob("*.eml"))


@pytest.fixture(autouse=True)
def no_mail_before() -> None:
    shutil.rmtree(get_settings().var_dir / "mail", ignore_errors=True)


async def test_without_a_server_mail_is_a_file_that_only_the_operator_reads() -> None:
    await mail.send("ada@example.org", "Hello", "A link: http://127.0.0.1/x\n")
    (file,) = kept()
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert (message["To"], message["Subject"]) == ("ada@example.org", "Hello")
    assert "http://127.0.0.1/x" in message.get_content()


async def test_a_line_break_cannot_add_a_header() -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|header"):
        await mail.send("ada@example.org\nBcc: eve@example.org", "Hello", "text")
    assert kept() == []


async def test_with_a_server_mail_goes_there(settings_changed: pytest.MonkeyPatch) -> None:
    received: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Enough of SMTP for one mail."""
        writer.write(b"220 here\r\n")
        in_data = False
        while line := (await reader.readline()).decode():
            if in_data:
                in_data = line != ".\r\n"
                received.append(line)
                writer.write(b"" if in_data else b"250 taken\r\n")
            elif line.startswith("DATA"):
                in_data = True
                writer.write(b"354 go on\r\n")
            else:
                received.append(line)
                writer.write(b"250 ok\r\n")
                if line.startswith("QUIT"):
                    break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings_changed.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
    get_settings.cache_clear()
    await mail.send("ada@example.org", "Hello", "text of the mail")
    server.close()
    text = "".join(received)
    assert "RCPT TO:<ada@example.org>" in text and "Subject: Hello" in text and "text of the mail" in text
    assert kept() == []
