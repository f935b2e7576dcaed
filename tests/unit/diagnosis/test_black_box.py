"""How long a view may take, and the words that say so."""

import pytest

from linssl.diagnosis.black_box import ViewProcess


def test_a_wait_beyond_what_the_system_can_is_refused():
    with pytest.raises(ValueError, match=r"view_timeout must be > 0 seconds, 1e\+06 at most; got"):
        ViewProcess("views:hanging", 1e300, 0)
