"""Files of outputs: what was written whole is read, and nothing else."""

import errno
import os
import shutil

import numpy as np
import pytest

from skdistill.teachers import _answer_files
from skdistill.teachers._answer_files import MAGIC, Index, Writer, count_rows

RNG = np.random.default_rng(0)


def block(n_rows=20, n_outputs=3, *, exact=False):
    """Return keys and outputs, which are exact in float32 or not."""
    keys = RNG.integers(0, 2**63, size=(n_rows, 2)).astype(np.uint64)
    outputs = RNG.normal(size=(n_rows, n_outputs) if n_outputs else n_rows)
    return keys, np.round(outputs) if exact else outputs


def write(folder, blocks):
    writer = Writer(folder)
    for keys, outputs in blocks:
        writer.append(keys, outputs)
    return writer


def files_of(folder):
    return sorted(path for path in folder.iterdir() if path.suffix == ".answers")


def assert_found(folder, blocks):
    """All rows of the blocks are found, in any order, among unknown ones, with exactly their outputs."""
    keys, outputs = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    order = RNG.permutation(len(keys))
    unknown = block(5)[0]
    found, files = Index(folder).find(np.concatenate([unknown, keys[order]]))
    np.testing.assert_array_equal(files < 0, np.arange(len(files)) < 5)
    np.testing.assert_array_equal(found, outputs[order])


@pytest.mark.parametrize("n_outputs", [0, 1, 4])
@pytest.mark.parametrize("exact", [True, False, None])
def test_rows_are_found_again(n_outputs, exact, tmp_path):
    """Outputs come back with their shape and all their bits, also where blocks of both precisions alternate."""
    blocks = [block(n_outputs=n_outputs, exact=place % 2 == 0 if exact is None else exact) for place in range(5)]
    write(tmp_path, blocks[:3])
    write(tmp_path, blocks[3:])
    assert_found(tmp_path, blocks)


def test_windows_do_not_change_what_is_read(tmp_path, monkeypatch):
    """A large file is read in parts."""
    monkeypatch.setattr(_answer_files, "WINDOW_BYTES", 100)
    blocks = [block() for _ in range(4)]
    write(tmp_path, blocks)
    assert_found(tmp_path, blocks)


def test_bytes_of_a_row(tmp_path):
    """A row takes its outputs and at most 40 bytes, even if it is alone in its block."""
    blocks = [block(1) for _ in range(20)]
    write(tmp_path, blocks)
    assert files_of(tmp_path)[0].stat().st_size - len(MAGIC) <= 20 * (3 * 8 + 40)


@pytest.mark.parametrize("n_cut", [1, 10, 200, 500])
def test_block_that_was_cut_off_is_not_read(n_cut, tmp_path):
    """A kill in the middle of a block loses this block only."""
    blocks = [block() for _ in range(3)]
    write(tmp_path, blocks)
    path = files_of(tmp_path)[0]
    os.truncate(path, path.stat().st_size - n_cut)
    found, files = Index(tmp_path).find(np.concatenate([keys for keys, _ in blocks]))
    assert (files >= 0).tolist() == [True] * 40 + [False] * 20
    np.testing.assert_array_equal(found, np.concatenate([outputs for _, outputs in blocks[:2]]))


def test_damaged_outputs_are_not_read(tmp_path):
    """No bit of a block can change unnoticed: its rows are unknown then, those of the blocks before are not."""
    blocks = [block(5), block(5)]
    write(tmp_path, blocks)
    path = files_of(tmp_path)[0]
    content = path.read_bytes()
    start = len(MAGIC) + (len(content) - len(MAGIC)) // 2
    for place in range(start, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        _, files = Index(tmp_path).find(np.concatenate([keys for keys, _ in blocks]))
        assert (files >= 0).tolist() == [True] * 5 + [False] * 5


@pytest.mark.parametrize(
    "content", [b"", b"SKDANS\x00\x02" + b"x" * 100, b"anything else", MAGIC, MAGIC + b"\xff" * 50]
)
def test_files_of_other_formats_are_left_alone(content, tmp_path):
    """Files of a later format, or no format, are neither read nor changed."""
    path = tmp_path / "0.answers"
    path.write_bytes(content)
    keys, outputs = block()
    write(tmp_path, [(keys, outputs)]).pack()
    assert_found(tmp_path, [(keys, outputs)])
    assert path.read_bytes() == content
    assert (count_rows(path) or 0) == 0


class FullDisk:
    """Replaces the writing of bytes by that on a disk with room for some more bytes."""

    def __init__(self, n_left):
        self.n_left = n_left

    def __call__(self, file, content):
        if len(content) > self.n_left:
            file.write(content[: self.n_left])
            raise OSError(errno.ENOSPC, "No space left on device")
        self.n_left -= len(content)
        file.write(content)


@pytest.mark.parametrize("truncates", [True, False])
@pytest.mark.parametrize("n_left", [0, 5, 100, 1_000, 1_500])
def test_full_disk_leaves_no_half_block(n_left, truncates, tmp_path, monkeypatch):
    """What was written before a full disk is read, what was written afterwards too, and nothing of the half block."""
    monkeypatch.setattr(_answer_files, "write_all", FullDisk(n_left))
    if not truncates:
        monkeypatch.setattr(_answer_files.os, "truncate", lambda *_: (_ for _ in ()).throw(OSError("not permitted")))
    writer, blocks, kept = Writer(tmp_path), [block() for _ in range(3)], []
    for each in blocks:
        try:
            writer.append(*each)
            kept.append(each)
        except OSError:
            break
    assert len(kept) == n_left // 824
    monkeypatch.setattr(_answer_files, "write_all", lambda file, content: file.write(content))
    writer.append(*blocks[2])
    assert_found(tmp_path, [*kept, blocks[2]])
    if truncates:
        assert sum(path.stat().st_size for path in files_of(tmp_path)) == 8 + 816 * (len(kept) + 1)


def test_many_small_blocks_become_one(tmp_path):
    """A file of many calls with few rows is packed; an open index finds its rows again, and those stored afterwards."""
    blocks = [block(2) for _ in range(100)]
    writer = write(tmp_path, blocks)
    index = Index(tmp_path)
    keys = np.concatenate([keys for keys, _ in blocks])
    before = index.find(keys)[0]
    writer.pack()
    assert files_of(tmp_path)[0].stat().st_size == 8 + 16 + 200 * (16 + 3 * 8)
    assert [path.suffix for path in tmp_path.iterdir()] == [".answers"]
    np.testing.assert_array_equal(index.find(keys)[0], before)
    later = block(2)
    writer.append(*later)
    np.testing.assert_array_equal(index.find(later[0])[0], later[1])


def test_one_writer_has_one_file_until_it_is_removed(tmp_path):
    """All blocks of a fit are in one file; if another process deletes it, or the folder, the next ones are stored."""
    folder, blocks = tmp_path / "outputs", [block() for _ in range(4)]
    writer = write(folder, blocks[:2])
    writer.pack()
    assert len(files_of(folder)) == 1
    files_of(folder)[0].unlink()
    writer.append(*blocks[2])
    assert_found(folder, [blocks[2]])
    shutil.rmtree(folder)
    writer.append(*blocks[3])
    assert_found(folder, [blocks[3]])


def test_index_sees_what_others_append_and_delete(tmp_path):
    """An open index finds rows that another process stored, and forgets those that were deleted."""
    (first, second), index = [block(), block()], Index(tmp_path)
    writer = write(tmp_path, [first])
    assert (index.find(first[0])[1] >= 0).all()
    writer.append(*second)
    assert (index.find(second[0])[1] >= 0).all()
    files_of(tmp_path)[0].unlink()
    assert (index.find(first[0])[1] < 0).all()


def test_first_answer_for_a_row_counts(tmp_path):
    """Two processes that asked for the same row: one of the answers is used, always the same."""
    keys, outputs = block()
    write(tmp_path, [(keys, outputs)])
    write(tmp_path, [(keys, outputs + 1)])
    assert_found(tmp_path, [(keys, outputs)])
