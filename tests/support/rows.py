"""Sources of rows for the tests of streaming: importable by workers, and some that misbehave."""

import os
import signal
import time
from pathlib import Path

import numpy as np


class Rows:
    """The least that is a source: a shape, a dtype and slices, of an .npy."""

    def __init__(self, path):
        self.path, self.read = str(path), []
        array = np.load(path, mmap_mode="r")
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, rows):
        self.read.append((rows.start, rows.stop))
        return np.load(self.path, mmap_mode="r")[rows]


class Slow(Rows):
    """Takes a while for what is more than a row."""

    def __getitem__(self, rows):
        time.sleep(0.05 * (rows.stop - rows.start > 1))
        return super().__getitem__(rows)


class Deadly(Rows):
    """Kills another process than that which made it, once, in the second half."""

    def __init__(self, path, folder):
        super().__init__(path)
        self.mark, self.home = Path(folder) / "killed", os.getpid()

    def __getitem__(self, rows):
        if os.getpid() != self.home and rows.stop > self.shape[0] // 2 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(rows)


class Changing(Rows):
    """Becomes another after some slices were read: shorter rows, another type, or longer."""

    def __init__(self, path, how, after):
        super().__init__(path)
        self.how, self.after = how, after

    def __getitem__(self, rows):
        block = super().__getitem__(rows)
        if len(self.read) <= self.after:
            return block
        if self.how == "grows":
            self.shape = (self.shape[0] + 1, self.shape[1])
            return block
        return block[:, :-1] if self.how == "narrows" else block.astype(np.float16)
