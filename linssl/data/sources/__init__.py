"""Data as they are held: files and objects of many kinds, read by slices of rows."""

from linssl.data.sources.opening import open_source as open_source
from linssl.data.sources.source import Source as Source
