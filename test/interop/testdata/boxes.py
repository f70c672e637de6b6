"""Writes the files of a directory into an mbox and a Maildir, with the means of
Python alone. Arguments: the directory, the mbox, the Maildir."""

import mailbox
import os
import sys

source, mbox, maildir = sys.argv[1:4]
box, md = mailbox.mbox(mbox), mailbox.Maildir(maildir)
for name in sorted(os.listdir(source)):
    with open(os.path.join(source, name), "rb") as f:
        content = f.read()
    box.add(content)
    md.add(content)
box.close()
md.close()
