// fieldNames are the operators whose names are shown translated; the server may
// know further ones, which appear under their own name.
export const fieldNames = [
  'from', 'to', 'with', 'subject', 'has', 'date', 'after', 'before', 'until', 'type', 'filename', 'attachment',
  'body', 'cc', 'bcc', 'larger', 'smaller', 'category', 'tag', 'class', 'source', 'id', 'is',
] as const;
