"""Folders of keys, and how to spoil one."""

import base64
from pathlib import Path

import pytest

from consent_track.crypto import keyring
from consent_track.domain.errors import ConfigurationRefused


def path_of(folder: Path, name: str) -> Path:
    return next(path for path in folder.rglob("*.key") if path.as_posix().endswith(f"/{name}"))


def secret_of(path: Path) -> bytes:
    return base64.urlsafe_b64decode(path.read_text().splitlines()[-1].removeprefix("key: "))


def rewrite(folder: Path, name: str, old: str, new: str) -> None:
    path = path_of(folder, name)
    assert old in path.read_text(), "or this spoils nothing"
    path.write_text(path.read_text().replace(old, new))


def spoil(folder: Path, name: str, secret: bytes) -> None:
    path = path_of(folder, name)
    text = path.read_text()
    path.write_text(text[: text.index("key: ")] + f"key: {base64.urlsafe_b64encode(secret).decode()}\n")


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationRefused) as refused:
        keyring.load(folder)
    return [str(problem) for problem in refused.value.problems]
