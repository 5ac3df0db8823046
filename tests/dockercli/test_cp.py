"""docker cp: what lands where (moby/go-archive copy.go; transcripts writable-layer-cp-…), on a machine."""

from __future__ import annotations

import pytest

from labkit.machine import Machine


@pytest.fixture
def machine():
    made = Machine()
    for line in ("docker pull -q busybox", "docker create --name c1 -v data:/data busybox"):
        assert made.run(line).returncode == 0
    for path, text in (("a.txt", "a\n"), ("dir/b.txt", "b\n"), ("dir/sub/c.txt", "c\n")):
        path = f"/home/learner/{path}"
        made.files.makedirs(path.rpartition("/")[0])
        made.files.write(path, text)
    made.files.symlink("a.txt", "/home/learner/link")
    made.files.symlink("nowhere", "/home/learner/dangling")
    return made


def below(files, top):
    """Paths of what lies below a folder."""
    found = []
    for folder, names, others in files.walk(top):
        found += [f"{folder}/{name}"[len(top) :] for name in [*names, *others]]
    return sorted(found)


INTO = [
    # source, destination, what is there afterwards (files below it, or None for a file)
    ("a.txt", "/tmp", "/tmp", ["/a.txt"]),
    ("a.txt", "/tmp/", "/tmp", ["/a.txt"]),
    ("a.txt", "/tmp/renamed", "/tmp", ["/renamed"]),
    ("dir", "/tmp", "/tmp", ["/dir", "/dir/b.txt", "/dir/sub", "/dir/sub/c.txt"]),
    ("dir/", "/tmp", "/tmp", ["/dir", "/dir/b.txt", "/dir/sub", "/dir/sub/c.txt"]),
    ("dir/.", "/tmp", "/tmp", ["/b.txt", "/sub", "/sub/c.txt"]),
    ("dir", "/tmp/new", "/tmp", ["/new", "/new/b.txt", "/new/sub", "/new/sub/c.txt"]),
    ("dir/.", "/tmp/new", "/tmp", ["/new", "/new/b.txt", "/new/sub", "/new/sub/c.txt"]),
    ("dir", "/tmp/new/", "/tmp", ["/new", "/new/b.txt", "/new/sub", "/new/sub/c.txt"]),
    ("./dir/sub/../b.txt", "tmp", "/tmp", ["/b.txt"]),
]


@pytest.mark.parametrize(("source", "target", "top", "found"), INTO, ids=[f"{row[0]} {row[1]}" for row in INTO])
def test_into(machine, source, target, top, found):
    done = machine.run(f"docker cp {source} c1:{target}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert below(machine.container("c1").files, top) == found


OUT_OF = [
    ("/srv", "out", ["/a.txt", "/dir", "/dir/b.txt", "/dir/sub", "/dir/sub/c.txt"], "/home/learner/out"),
    ("/srv/.", "out", ["/a.txt", "/dir", "/dir/b.txt", "/dir/sub", "/dir/sub/c.txt"], "/home/learner/out"),
    ("/srv/dir", "there", ["/dir", "/dir/b.txt", "/dir/sub", "/dir/sub/c.txt"], "/home/learner/there"),
    ("/srv/dir/.", "there", ["/b.txt", "/sub", "/sub/c.txt"], "/home/learner/there"),
    ("/srv/a.txt", "there/", ["/a.txt"], "/home/learner/there"),
    ("/srv/a.txt", "there/other", ["/other"], "/home/learner/there"),
]


@pytest.mark.parametrize(("source", "target", "found", "top"), OUT_OF, ids=[f"{row[0]} {row[1]}" for row in OUT_OF])
def test_out_of(machine, source, target, found, top):
    machine.files.mkdir("/home/learner/there")
    for line in ("docker cp dir c1:/srv", "docker cp dir c1:/srv/dir", "docker cp a.txt c1:/srv/a.txt"):
        machine.run(line)
    inside = machine.container("c1").files
    for name in ("b.txt", "sub/c.txt", "sub"):
        (inside.rmdir if name == "sub" else inside.unlink)(f"/srv/{name}")
    done = machine.run(f"docker cp c1:{source} {target}")
    assert (done.returncode, done.stderr) == (0, "")
    assert below(machine.files, top) == found


ERRORS = [
    ("nosuch.txt c1:/", "lstat /home/learner/nosuch.txt: no such file or directory", "transcript writable-layer-cp-in"),
    ("a.txt c1:/nosuch/", "no such directory", "transcript writable-layer-cp-in"),
    (
        "a.txt c1:/nosuch/file",
        "Error response from daemon: Could not find the file /nosuch in container c1",
        "as above",
    ),
    ("dir c1:/etc/passwd", "cannot copy directory", "transcript writable-layer-cp-rules"),
    ("c1:/nosuch .", "Error response from daemon: Could not find the file /nosuch in container c1", "-cp-out"),
    ("nosuch:/etc .", "Error response from daemon: No such container: nosuch", "transcript writable-layer-cp-out"),
    ("c1:/etc/passwd nosuchdir/", "no such directory", "transcript writable-layer-cp-out"),
    ("c1:/tmp dir/b.txt", "cannot copy directory", "transcript writable-layer-cp-rules"),
    ("c1:nosuch.txt .", "Error response from daemon: Could not find the file nosuch.txt in container c1", "-cp-rules"),
    ("nosuch/. c1:/", "lstat /home/learner/nosuch: no such file or directory", "go-archive copy.go, EvalSymlinks"),
    ("a.txt/ c1:/", "not a directory", "go-archive copy.go, EvalSymlinks"),
    ("a.txt/. c1:/", "not a directory", "go-archive copy.go, EvalSymlinks"),
    ("-L dangling c1:/", "lstat /home/learner/nowhere: no such file or directory", "go-archive copy.go, EvalSymlinks"),
    ("a.txt c1:/etc/passwd/x/y", "Error response from daemon: not a directory", "moby daemon/archive_unix.go"),
    (
        "c1:/etc/passwd/ .",
        "Error response from daemon: lstat /etc/passwd/: not a directory",
        "moby containerfs_linux.go",
    ),
    ("c1:/etc/passwd/x .", "Error response from daemon: lstat /etc/passwd/x: not a directory", "containerfs_linux.go"),
    ("c1:/etc/passwd a.txt/", "stat /home/learner/a.txt/: not a directory", "docker/cli command/utils.go"),
    ("c1: out", "Error response from daemon: bad parameter: path cannot be empty", "random sequence 2330"),
    ("c1: -", "Error response from daemon: bad parameter: path cannot be empty", "moby httputils/form.go"),
    ("-L nosuch: out", "Error response from daemon: bad parameter: path cannot be empty", "moby httputils/form.go"),
    ("a.txt c1:", "no such directory", "go-archive copy.go, PrepareArchiveCopy"),
    ("- c1:", 'destination "c1:" must be a directory', "docker/cli container/cp.go"),
    ("- c1:/etc/passwd", 'destination "c1:/etc/passwd" must be a directory', "docker/cli container/cp.go"),
]


@pytest.mark.parametrize(("words", "message", "source"), ERRORS, ids=[row[0] for row in ERRORS])
def test_errors(machine, words, message, source):
    done = machine.run(f"docker cp {words}")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message + "\n")


def test_a_link_is_copied_as_such_or_followed(machine):
    machine.run("docker cp link c1:/tmp")
    machine.run("docker cp -L link c1:/tmp/followed")
    inside = machine.container("c1").files
    assert inside.readlink("/tmp/link") == "a.txt"
    assert inside.read("/tmp/followed") == b"a\n"
    machine.run("docker cp a.txt c1:/tmp/a.txt")
    machine.run("docker cp -L c1:/tmp/link out")
    machine.run("docker cp c1:/tmp/link as-link")
    assert machine.files.read("/home/learner/out") == b"a\n"
    assert machine.files.readlink("/home/learner/as-link") == "a.txt"


def test_links_are_followed_to_their_end(machine):
    inside = machine.container("c1").files
    inside.makedirs("/srv/d")
    for target, path in (("second", "/srv/first"), ("/etc/passwd", "/srv/second"), ("d", "/srv/folder")):
        inside.symlink(target, path)
    machine.run("docker cp -L c1:/srv/first out")
    machine.run("docker cp c1:/srv/folder/ there")
    assert machine.files.read("/home/learner/out") == inside.read("/etc/passwd")
    assert machine.files.is_dir("/home/learner/there")


def test_files_mounted_at_etc_are_seen(machine):
    """moby, daemon/volumes_unix.go setupMounts: hostname, hosts and resolv.conf are mounted from the first start on."""
    assert machine.run("docker cp c1:/etc/hostname - | tar xO").stdout == ""
    machine.run("docker run -d --name c2 --hostname box busybox sleep 1d")
    assert machine.run("docker cp c2:/etc/hostname - | tar xO").stdout == "box\n"
    done = machine.run("docker cp a.txt c2:/etc/hostname")
    assert done.stderr == "Error response from daemon: unlinkat /etc/hostname: device or resource busy\n"


def test_names_of_one_file_stay_so(machine):
    """moby/go-archive archive.go, addTarFile: what was seen before is a hard link."""
    machine.run("ln dir/b.txt dir/hard; docker cp dir c1:/srv; docker cp c1:/srv back")
    assert machine.container("c1").files.stat("/srv/hard").st_nlink == 2
    assert machine.files.stat("/home/learner/back/hard").st_nlink == 2


def test_a_dash_streams_an_archive(machine):
    machine.run("docker cp dir c1:/tmp")
    assert machine.run("docker cp c1:/tmp/dir - | docker cp - c1:/root").returncode == 0
    assert below(machine.container("c1").files, "/root") == ["/dir", "/dir/b.txt", "/dir/sub", "/dir/sub/c.txt"]


def test_mode_and_time_are_kept(machine):
    machine.files.chmod("/home/learner/a.txt", 0o750)
    machine.files.utime("/home/learner/a.txt", 10**18, 10**18)
    machine.run("docker cp a.txt c1:/a.txt")
    about = machine.container("c1").files.stat("/a.txt")
    assert (about.st_mode & 0o7777, about.st_mtime_ns, about.st_uid) == (0o750, 10**18, 0)
    machine.run("docker cp c1:/a.txt back")
    about = machine.files.stat("/home/learner/back")
    assert (about.st_mode & 0o7777, about.st_mtime_ns) == (0o750, 10**18)


def test_a_volume_is_reached(machine):
    machine.run("docker cp a.txt c1:/data/")
    assert machine.files.read("/var/lib/docker/volumes/data/_data/a.txt") == b"a\n"


def test_a_path_with_a_colon_is_local_when_it_looks_like_a_path(machine):
    machine.files.write("/home/learner/x:y", "colon\n")
    assert machine.run("docker cp ./x:y c1:/tmp/z").returncode == 0
    assert machine.container("c1").files.read("/tmp/z") == b"colon\n"
