from typing import Any

TRAIN: int
TEST: int

def __getattr__(name: str) -> Any: ...
