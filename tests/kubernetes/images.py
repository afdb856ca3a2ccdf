"""Container images without a registry: OCI image layouts made of busybox, for `ctr images import`."""
import hashlib
import io
import json
import subprocess
import tarfile

BUSYBOX = "/bin/busybox"


def _tar(files):
    """A tar with these members, the same bytes each time. A value is bytes, or the target of a symbolic link, or None for a folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            elif isinstance(content, str):
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, content, 0o777
            else:
                member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def write_image(path, name, command, version="1", programs=None):
    """Writes the image `name` (repository:tag) and returns its digest. `version` makes two images of the same programs differ; `programs`
    are further ones in /bin: {"name": path of a static executable}."""
    with open(BUSYBOX, "rb") as f:
        busybox = f.read()
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    layer = _tar({"bin": None, "etc": None, "tmp": None, "bin/busybox": busybox, **{f"bin/{a}": "busybox" for a in applets if a != "busybox"},
                  **{f"bin/{p}": file.read_bytes() for p, file in (programs or {}).items()},
                  "etc/passwd": b"root:x:0:0:root:/:/bin/sh\n", "etc/version": version.encode()})
    blobs = {}

    def blob(content):
        data = content if isinstance(content, bytes) else json.dumps(content, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}
    layer_at = blob(layer)
    config = blob({"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": command},
                   "rootfs": {"type": "layers", "diff_ids": [layer_at["digest"]]}})
    manifest = blob({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                     "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
                     "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **layer_at}]})
    index = {"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest,
                                                "annotations": {"io.containerd.image.name": name}}]}
    path.write_bytes(_tar({"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode(), **blobs}))
    return manifest["digest"]
