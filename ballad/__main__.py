import sys

from ballad.cli import main
from ballad.work.host_memory import keep_freed_memory

if __name__ == "__main__":
    keep_freed_memory()
    sys.exit(main())
