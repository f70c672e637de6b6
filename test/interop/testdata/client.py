"""Delivers to the doors as a mail client would, with the means of Python alone.

Arguments: host:port of the SMTP door, host:port of the LMTP door, a journal
address. Ends with an error if any reply is not as it must be.
"""

import smtplib
import socket
import ssl
import sys

smtp_door, lmtp_door, journal = sys.argv[1:4]


def address(door):
    host, port = door.rsplit(":", 1)
    return host, int(port)


def context():
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    return c


def must(ok, what):
    if not ok:
        sys.exit(f"{what} is not as it must be")


def plain():
    with smtplib.SMTP(*address(smtp_door), timeout=60) as s:
        s.ehlo("client.example")
        for feature in ("pipelining", "size", "8bitmime", "smtputf8", "chunking", "starttls"):
            must(s.has_extn(feature), feature)
        refused = s.sendmail("a@example.org", [journal], b"Subject: python plain\r\n\r\n.dot\r\n..\r\nend\r\n")
        must(refused == {}, "acceptance")
        try:
            s.sendmail("a@example.org", ["nobody@example.org"], b"x")
            sys.exit("an unknown recipient was taken")
        except smtplib.SMTPRecipientsRefused as e:
            must(e.recipients["nobody@example.org"][0] == 550, "refusal")


def protected_utf8():
    with smtplib.SMTP(*address(smtp_door), timeout=60) as s:
        s.starttls(context=context())
        s.ehlo("client.example")
        body = "Subject: python grüße\r\n\r\nüber TLS, 8 bit\r\n".encode()
        s.sendmail("jörg@müller.example", [journal], body, mail_options=["SMTPUTF8", "BODY=8BITMIME"])


def local():
    with smtplib.LMTP(*address(lmtp_door), timeout=60) as s:
        must(s.sendmail("", [journal], b"Subject: python lmtp\r\n\r\nx\r\n") == {}, "acceptance by LMTP")


def large():
    body = b"Subject: python large\r\n\r\n" + b"0123456789" * 7 + b"\r\n"
    body += (b"x" * 998 + b"\r\n") * 20000
    with smtplib.SMTP(*address(smtp_door), timeout=60) as s:
        s.sendmail("a@example.org", [journal], body)


class Raw:
    """A connection without a library between."""

    def __init__(self, door):
        self.socket = socket.create_connection(address(door), timeout=60)
        self.lines = self.socket.makefile("rb")

    def reply(self):
        while True:
            line = self.lines.readline()
            if line[3:4] != b"-":
                return line

    def expect(self, *codes):
        for code in codes:
            got = self.reply()
            must(got.startswith(code), f"reply {got!r}, want {code!r},")


def pipelined():
    r = Raw(smtp_door)
    r.expect(b"220")
    # Everything at once, two messages with RSET between, and QUIT (RFC 2920).
    to = journal.encode()
    r.socket.sendall(b"EHLO x\r\n")
    r.expect(b"250")
    r.socket.sendall(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<" + to + b">\r\nRSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<" + to + b">\r\nDATA\r\n")
    r.expect(b"250", b"250", b"250", b"250", b"250", b"354")
    r.socket.sendall(b"Subject: python pipelined\r\n\r\nx\r\n.\r\nNOOP\r\nQUIT\r\n")
    r.expect(b"250", b"250", b"221")


def chunked():
    r = Raw(smtp_door)
    r.expect(b"220")
    r.socket.sendall(b"EHLO x\r\n")
    r.expect(b"250")
    one, two = b"Subject: python chunked\r\n\r\n.\r\n", b"\x00bare\nLF bare\rCR\r\n.\r\nno line end"
    r.socket.sendall(b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\nRCPT TO:<" + journal.encode() + b">\r\n"
                     + b"BDAT %d\r\n" % len(one) + one + b"BDAT %d\r\n" % len(two) + two + b"BDAT 0 LAST\r\nQUIT\r\n")
    r.expect(b"250", b"250", b"250", b"250", b"250", b"221")


for step in (plain, protected_utf8, local, large, pipelined, chunked):
    step()
