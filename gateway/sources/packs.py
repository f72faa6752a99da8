"""Where the packs that ship with Facegate are."""

from __future__ import annotations

from pathlib import Path

import gateway


def packs_directory() -> Path:
    """Return the directory of the shipped packs.

    An installed wheel carries them inside the package, as `gateway/packs`; a checkout and an
    editable install have them beside it, as `policies`.
    """
    package = Path(gateway.__file__).parent
    carried = package / "packs"
    return carried if carried.is_dir() else package.parent / "policies"
