"""The garbage collector of a process that reads many rows and keeps none."""

import gc

OBJECTS_BETWEEN_LOOKS = 50_000


def calm_collector() -> None:
    """Rows go by reference count alone; looking for cycles among them at Python's usual pace took a quarter of the
    time of a sync. What is loaded by now lives as long as the process and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, 20, 100)


def tidy() -> None:
    """At the end of a run nobody waits, and what it left in cycles can go."""
    gc.collect()
