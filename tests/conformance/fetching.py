"""Other projects' files, downloaded once."""

import sys
import urllib.request
from pathlib import Path

CACHE = Path(__file__).parent / ".cache"


def folder_with(names, url, label):
    """Return a folder with these files, from `url` the first time."""
    folder = CACHE / label
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (folder / name).exists():
            try:
                with urllib.request.urlopen(url + name, timeout=60) as response:
                    (folder / name).write_bytes(response.read())
            except OSError as error:
                sys.exit(f"{url}{name} cannot be had ({error}); name a folder with it")
    return folder
