"""docker-py's get_archive and put_archive against the engine that DOCKER_HOST names."""

import io
import os
import tarfile
import unittest

import docker
from docker_py_case import CLIENT, DockerPyCase, name


def packed(**files):
    """A tar of the files, by name; each is owned by 12:34 and has mode 640."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.uid, entry.gid, entry.mode = len(content), 12, 34, 0o640
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def unpacked(chunks):
    return tarfile.open(fileobj=io.BytesIO(b"".join(chunks)))


class DockerPyArchives(DockerPyCase):
    def round_trip(self, container, folder="/tmp"):
        self.assertTrue(container.put_archive(folder, packed(f=b"content")))
        chunks, stat = container.get_archive(f"{folder}/f")
        archive = unpacked(chunks)
        entry = archive.getmember("f")
        self.assertEqual(archive.extractfile(entry).read(), b"content")
        self.assertEqual((entry.uid, entry.gid, entry.mode & 0o7777), (12, 34, 0o640))
        self.assertEqual((stat["name"], stat["size"], stat["mode"], stat["linkTarget"]), ("f", 7, 0o640, ""))

    def test_round_trip_in_every_state(self):
        created = CLIENT.containers.create("busybox", "sleep 1000", name=name())
        self.round_trip(created)
        created.start()
        self.round_trip(created)
        self.assertEqual(created.exec_run("cat /tmp/f").output, b"content")
        created.pause()
        self.round_trip(created)
        created.unpause()
        created.stop(timeout=0)
        self.round_trip(created)

    def test_directories_and_links(self):
        container = self.sleeper()
        container.exec_run(["sh", "-c", "mkdir -p /d/e; echo a >/d/e/f; ln /d/e/f /d/hard; ln -s e/f /d/soft; ln -s d /to"])
        chunks, stat = container.get_archive("/d")
        archive = unpacked(chunks)
        self.assertEqual(sorted(archive.getnames()), ["d", "d/e", "d/e/f", "d/hard", "d/soft"])
        self.assertEqual(archive.getmember("d/soft").linkname, "e/f")
        self.assertTrue(archive.getmember("d/hard").islnk() or archive.getmember("d/e/f").islnk())
        self.assertEqual(stat["name"], "d")
        self.assertEqual(container.get_archive("/to")[1]["linkTarget"], "/d")
        self.assertEqual(sorted(unpacked(container.get_archive("/d/.")[0]).getnames()), [".", "./e", "./e/f", "./hard", "./soft"])

    def test_chunk_size_and_encoding(self):
        container = self.sleeper()
        content = os.urandom(300_000)
        container.put_archive("/tmp", packed(big=content))
        for options in ({"chunk_size": 1000}, {"chunk_size": None}, {"encode_stream": True}):
            chunks, _ = container.get_archive("/tmp/big", **options)
            self.assertEqual(unpacked(chunks).extractfile("big").read(), content)

    def test_stream_in(self):
        container = self.sleeper()
        self.assertTrue(container.put_archive("/tmp", io.BytesIO(packed(streamed=b"x"))))
        self.assertEqual(container.exec_run("cat /tmp/streamed").output, b"x")

    def test_volumes(self):
        volume = CLIENT.volumes.create(name())
        self.addCleanup(volume.remove)  # runs after tearDown, which removes its users
        self.round_trip(self.sleeper(volumes={volume.name: {"bind": "/v", "mode": "rw"}}), "/v")
        reader = self.sleeper(volumes={volume.name: {"bind": "/v", "mode": "ro"}})
        self.assertEqual(unpacked(reader.get_archive("/v/f")[0]).extractfile("f").read(), b"content")
        self.refused(400, lambda: reader.put_archive("/v", packed(g=b"x")))

    def test_refusals(self):
        container = self.sleeper()
        container.exec_run("touch /file")
        self.refused(404, lambda: container.get_archive("/absent"))
        self.refused(404, lambda: container.put_archive("/absent", packed(f=b"x")))
        self.refused(400, lambda: container.put_archive("/file", packed(f=b"x")))
        self.refused(400, lambda: self.sleeper(read_only=True).put_archive("/", packed(f=b"x")))

    def refused(self, status, work):
        with self.assertRaises(docker.errors.APIError) as caught:
            work()
        self.assertEqual(caught.exception.status_code, status, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
