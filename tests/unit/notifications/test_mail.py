"""A message as an e-mail, and as a file."""

import datetime
import email
import email.policy
import re
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.channels.files import MailFiles, SmsFiles
from notifications.channels.mail import compose
from notifications.channels.port import Message
from notifications.errors import NotNow, Undeliverable

SENDER = "Shop <shop@example.com>"
HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
]
#: Any text; and more often what mails write in other ways, and lines that are long.
TEXT = st.text(max_size=200) | st.text("a =?\t\r\n.ü", max_size=200)


def message(**changes):
    values = {
        "id": uuid.UUID(int=7),
        "address": "ann@example.org",
        "subject": "Order 1A: здравствуй",
        "body": "Line one\n\nLine two: ünï\n",
        "written_at": datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
    }
    return Message(**(values | changes))


def parsed(mail):
    return email.message_from_bytes(mail, policy=email.policy.SMTP)


def read(path):
    return parsed(path.read_bytes())


def test_the_same_letter_is_the_same_mail():
    """A repeat after a crash has the same Message-ID, and every other byte."""
    first, second = compose(message(), SENDER), compose(message(), SENDER)
    assert first == second
    assert parsed(first)["Message-ID"] == f"<{uuid.UUID(int=7)}@example.com>"


@example("Full lines that end in white space", "a" * 75 + " \n" + "a" * 75 + "\t\n")
@example("Grüße " * 33, "=20 \t.\r\n.\r\nFrom here\r")
@given(TEXT, TEXT)
def test_what_is_written_is_read(subject, body):
    """Whatever the words: the same subject, headers and text, but for white space at the ends of
    its lines, for whoever parses the bytes. Every server takes the lines (RFC 5321, 4.5.3.1.6),
    those of the text are as short as RFC 2045, 6.7 has them, and none is cut short."""
    try:
        mail = compose(message(subject=subject, body=body), "Shöp & Söhne <shop@example.com>")
    except Undeliverable:
        return  # a subject that a header would tell otherwise
    read = parsed(mail)
    assert read.keys() == HEADERS
    assert not read.defects
    assert (read["From"], read["To"]) == ("Shöp & Söhne <shop@example.com>", "ann@example.org")
    assert read["Subject"] == subject.strip(" ")
    lines = body.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    seen = re.sub(r"[ \t]+$", "", lines, flags=re.MULTILINE)
    assert read.get_content().replace("\r\n", "\n") == seen + "\n"
    assert all(len(line) <= 76 for line in mail.partition(b"\r\n\r\n")[2].split(b"\r\n"))
    assert all(len(line) <= 998 and not {*line} & {*b"\r\n"} for line in mail.split(b"\r\n"))


@pytest.mark.parametrize("address", ["a@b.org\nBcc: x@y.org", "a@b.org\r\n\r\nbody"])
def test_an_address_cannot_bring_headers(address):
    """A line break in an address is no way into the mail's head."""
    with pytest.raises(Undeliverable, match="bad_address"):
        compose(message(address=address), SENDER)


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?Hi=0AReply-To=3A_x=40y.example?=",
        "=?utf-8?q?Hi=0D=0ABcc=3A_x=40y.example=0D=0A=0D=0ABody?=",
        "Re: =?utf-8?b?SGkKWDogMQ==?=",
        "=?utf-8?q?Hi=0ABcc=3A_x=40y.example?_?=",
        *("line\u2028break", "line\u2029break", "line\x85break", "line\vbreak", "line\fbreak"),
        "line\nbreak",
    ],
)
def test_a_subject_cannot_bring_headers(subject):
    """Encoded words and line breaks of every kind are undeliverable, at once."""
    with pytest.raises(Undeliverable, match="bad_subject"):
        compose(message(subject=subject), SENDER)


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?x=40victim.example=2C?=@example.com",
        "a@b.example, c@d.example",
        '"a b"@c.example',
        "a@b.example (c)",
        "a@b\u2028c.example",
        "\u00fc@b.example",
    ],
)
def test_a_mail_goes_to_the_one_address_that_was_given(address):
    """What a header would read otherwise is undeliverable."""
    with pytest.raises(Undeliverable, match="bad_address"):
        compose(message(address=address), SENDER)


def test_a_body_that_is_no_text_is_undeliverable():
    """No number of tries makes it one."""
    with pytest.raises(Undeliverable, match="bad_message"):
        compose(message(body="\ud800"), SENDER)


def test_the_repr_of_a_letter_hides_the_address():
    """A message can end up in a traceback; its address cannot."""
    assert "example.org" not in repr(message())


def test_a_mail_file_reads_as_it_was_written(tmp_path):
    """Any mail program opens it: sender, recipient, subject and text."""
    MailFiles(str(tmp_path / "new" / "outbox"), SENDER).deliver(message())
    mail = read(tmp_path / "new" / "outbox" / f"{uuid.UUID(int=7)}.eml")
    assert (mail["From"], mail["To"]) == (SENDER, "ann@example.org")
    assert mail["Subject"] == "Order 1A: здравствуй"
    assert mail.get_content().splitlines() == ["Line one", "", "Line two: ünï"]


def test_a_repeat_replaces_the_file(tmp_path):
    """The same message twice is one file, and nothing half-written stays behind."""
    files = MailFiles(str(tmp_path), SENDER)
    files.deliver(message())
    files.deliver(message())
    assert [path.name for path in tmp_path.iterdir()] == [f"{uuid.UUID(int=7)}.eml"]


def test_a_text_message_is_a_file_of_its_own(tmp_path):
    """SMS go to `<id>.sms.txt`."""
    SmsFiles(str(tmp_path)).deliver(message(address="+49 30 1234"))
    text = (tmp_path / f"{uuid.UUID(int=7)}.sms.txt").read_text()
    assert text.startswith("To: +49 30 1234\n\n")
    assert "Line one" in text


def test_a_folder_that_cannot_be_written_may_be_so_later(tmp_path):
    """The trouble is ours: the message stays pending."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotNow, match="not_writable"):
        MailFiles(str(tmp_path / "file"), SENDER).deliver(message())
