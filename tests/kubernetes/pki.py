"""Certificates and kubeconfigs, made with openssl: an authority, a key for each program and node, the service accounts' key."""
import pathlib

from machine import run


class Authority:
    def __init__(self, folder: pathlib.Path, server: str):
        self.folder, self.server = folder, server
        folder.mkdir(mode=0o700)
        self._key("ca")
        run("openssl", "req", "-x509", "-new", "-key", folder / "ca.key", "-subj", "/CN=cluster-ca", "-days", "30", "-out", folder / "ca.crt",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature")
        run("openssl", "genrsa", "-out", folder / "sa.key", "2048")
        run("openssl", "rsa", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub")

    def _key(self, name):
        run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.folder / f"{name}.key")

    def issue(self, name, user, groups=(), hosts=()):
        """NAME.crt and NAME.key for a client and, with `hosts` ("DNS:x", "IP:y"), for a server as well."""
        subject = "".join(f"/O={g}" for g in groups) + f"/CN={user}"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text("basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n"
                              "extendedKeyUsage=clientAuth,serverAuth\n" + (f"subjectAltName={','.join(hosts)}\n" if hosts else ""))
        self._key(name)
        run("openssl", "req", "-new", "-key", self.folder / f"{name}.key", "-subj", subject, "-out", self.folder / f"{name}.csr")
        run("openssl", "x509", "-req", "-in", self.folder / f"{name}.csr", "-CA", self.folder / "ca.crt", "-CAkey", self.folder / "ca.key",
            "-CAcreateserial", "-days", "30", "-extfile", extensions, "-out", self.folder / f"{name}.crt")

    def kubeconfig(self, name, user, groups=(), context="test", hosts=()):
        """NAME.kubeconfig for that user, self-contained; gives its path."""
        import base64
        self.issue(name, user, groups, hosts)

        def inline(file):
            return base64.b64encode((self.folder / file).read_bytes()).decode()
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(f"""apiVersion: v1
kind: Config
clusters:
- name: {context}
  cluster: {{server: "{self.server}", certificate-authority-data: {inline('ca.crt')}}}
users:
- name: {user}
  user: {{client-certificate-data: {inline(name + '.crt')}, client-key-data: {inline(name + '.key')}}}
contexts:
- name: {context}
  context: {{cluster: {context}, user: "{user}"}}
current-context: {context}
""")
        return path
