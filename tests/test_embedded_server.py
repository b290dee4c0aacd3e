import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import database, embedded_postgres
from tests.cast import make_cast, make_competitor

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")


async def test_names_in_every_script_are_kept_and_folded() -> None:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "ÉLODIE Ångström", team_id=cast.team_a)
    assert await database.fetchval("select lower(first_name) from competitors") == "élodie"


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A folder that the server's user reaches, whatever pytest made of its own."""
    folder = Path(tempfile.mkdtemp(prefix="sideline-checkout-"))
    folder.chmod(0o755)
    yield folder
    pointer = folder / "var" / "postgres.location"
    if pointer.exists():
        shutil.rmtree(pointer.read_text().strip(), ignore_errors=True)
    shutil.rmtree(folder)


@as_root
def test_data_that_had_to_move_out_of_a_private_folder_stays_there(checkout: Path) -> None:
    checkout.chmod(0o700)
    private = embedded_postgres.locate(checkout / "var")
    checkout.chmod(0o755)
    assert embedded_postgres.locate(checkout / "var").data == private.data
    assert checkout not in private.data.parents


@as_root
def test_data_whose_folder_became_private_is_named_instead_of_replaced(checkout: Path) -> None:
    data = embedded_postgres.locate(checkout / "var").data
    (data / "PG_VERSION").write_text("18\n")
    checkout.chmod(0o700)
    with pytest.raises(embedded_postgres.EmbeddedPostgresError, match=f"The database in {data.parent} cannot be"):
        embedded_postgres.locate(checkout / "var")


def test_a_cluster_broken_off_half_way_is_made_anew(checkout: Path) -> None:
    server = embedded_postgres.locate(checkout / "var")
    unfinished = server.data.with_name("data.unfinished")
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    process = embedded_postgres.start(server)
    embedded_postgres.stop(process)
    assert process.returncode == 0
    assert not unfinished.exists()
