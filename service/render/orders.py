"""What the service says to its fork server, and how the probes answer.

An order is 5 bytes on a Unix stream socket:

* `WHOLE`, `TEXT` or `LIMITS`, 0, and one socket beside it: fork a probe (`service.render.probe`) that works in this
  mode and has that socket as standard input and output. It first says its process id (`PROCESS_ID`, 4 bytes).
* `END`, process id: kill that probe, if it is there, and wait for its end.

Integers are unsigned, in the machine's byte order.
"""

from __future__ import annotations

import struct
from typing import Final

ORDER: Final = struct.Struct("=cI")
PROCESS_ID: Final = struct.Struct("=I")
WHOLE: Final = b"w"
TEXT: Final = b"t"
LIMITS: Final = b"l"
END: Final = b"e"
