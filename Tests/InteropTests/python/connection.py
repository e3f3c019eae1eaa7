"""A connection to a coordinator, from the .proto files, `ssl` and `google.protobuf` alone.

`openssl` shows the certificates that the server sends before anything is trusted; `protoc` makes the messages.
"""
import hashlib
import importlib
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import sys
import tempfile

ALPN = "tributary/1"
TIMEOUT_SECONDS = 60


class Failure(Exception):
    """The coordinator's `Failure` answer, or something that an honest coordinator does not do."""


def envelope_class(proto_directory):
    """The class of `Envelope`, generated now from the .proto files."""
    files = sorted(str(path) for path in pathlib.Path(proto_directory).glob("tributary/v1/*.proto"))
    with tempfile.TemporaryDirectory() as generated:
        subprocess.run(["protoc", "-I", proto_directory, f"--python_out={generated}", *files], check=True)
        sys.path.insert(0, generated)
        try:
            return importlib.import_module("tributary.v1.envelope_pb2").Envelope
        finally:
            sys.path.remove(generated)


def openssl(*arguments, stdin=b""):
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True).stdout


class Address:
    """`host:port`, or `[host]:port` of IPv6."""

    def __init__(self, text):
        host, _, port = text.rpartition(":")
        self.host, self.port = host.strip("[]"), int(port)

    def __str__(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def pinned_authority(address, spki_sha256):
    """The PEM of the CA certificate with this key, from the chain that the server sends."""
    shown = openssl("s_client", "-connect", str(address), "-alpn", ALPN, "-showcerts").decode()
    for pem in re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", shown, re.DOTALL):
        key = openssl("x509", "-pubkey", "-noout", stdin=pem.encode())
        spki = openssl("pkey", "-pubin", "-outform", "DER", stdin=key)
        if hashlib.sha256(spki).hexdigest() == spki_sha256:
            return pem
    raise Failure(f"no certificate of {address} has the pinned key {spki_sha256}")


class Connection:
    """One TLS 1.3 connection; with `credential`, the paths of a certificate and its key, as that agent."""

    def __init__(self, address, authority, envelope, credential=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain, host name and dates
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cadata=authority)
        context.set_alpn_protocols([ALPN])
        if credential:
            context.load_cert_chain(*credential)
        raw = socket.create_connection((address.host, address.port), TIMEOUT_SECONDS)
        self.socket = context.wrap_socket(raw, server_hostname=address.host)
        if self.socket.selected_alpn_protocol() != ALPN:
            raise Failure(f"the server speaks {self.socket.selected_alpn_protocol()}, not {ALPN}")
        self.envelope = envelope

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, **body):
        payload = self.envelope(**body).SerializeToString()
        self.socket.sendall(struct.pack(">I", len(payload)) + payload)

    def receive(self, expected):
        (length,) = struct.unpack(">I", self.read(4))
        message = self.envelope.FromString(self.read(length))
        kind = message.WhichOneof("body")
        if kind == "failure":
            raise Failure(f"{message.failure.code}: {message.failure.message}; {message.failure.remedy}")
        if kind != expected:
            raise Failure(f"expected {expected}, got {kind}")
        return getattr(message, kind)

    def read(self, count):
        content = b""
        while len(content) < count:
            piece = self.socket.recv(count - len(content))
            if not piece:
                raise Failure("the coordinator closed the connection")
            content += piece
        return content

    def exchange(self, expected, **body):
        self.send(**body)
        return self.receive(expected)
