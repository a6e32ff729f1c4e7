"""Where the system's Python looks for packages under a prefix; configure asks.

    python3 -I site-folder.py PREFIX

prints the folder with the prefix taken off ("lib/python3/dist-packages"), or nothing when that Python does not look under PREFIX.
sysconfig does not answer this: on Debian its schemes name folders that no interpreter reads.
"""

import os
import site
import sys

prefix = os.path.join(os.path.normpath(sys.argv[1]), "")
inside = [os.path.normpath(folder)[len(prefix):] for folder in site.getsitepackages()
          if os.path.normpath(folder).startswith(prefix)]
# Not usr/local's for /usr. Plain lib first: nothing here depends on the machine.
inside = sorted((folder for folder in inside if folder.split(os.sep)[0].startswith("lib")),
                key=lambda folder: folder.split(os.sep)[0] != "lib")
if inside:
    print(inside[0])
