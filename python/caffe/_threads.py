"""How threads of OpenMP wait for each other, settled before the extension loads OpenMP.

By default they spin for many milliseconds, which wastes the processors wherever the machine has
other work. A thousand turns (tens of microseconds) bridge the gaps between layers. What the user
has set stays.
"""

import os

# On import, since OpenMP reads the environment once, when it is loaded.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
