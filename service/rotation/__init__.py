"""Keys over the years: rotating every level, mending places, and ending what was replaced.

* `rotate` gives every owner of a level a new key and moves what the old one wrapped, an owner a commit;
* `rotate_root` wraps the objects under the root key anew;
* `mend` copies living keys to a place that lacks them, and never a destroyed one.

Nothing that is sealed is read or written: only keys that wrap keys change. All of it can be cut short and run again.

Source: docs/adr/0014-rotation.md.
"""

from service.rotation.levels import Rotated, rotate
from service.rotation.mending import Mended, mend
from service.rotation.owners import Level
from service.rotation.roots import rotate_root

__all__ = ["Level", "Mended", "Rotated", "mend", "rotate", "rotate_root"]
