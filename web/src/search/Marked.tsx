import type { Mark } from '../api';
import { pieces } from './queryText';

// Further marks are not shown: nobody reads thousands, but a browser builds them.
const most = 2000;

// Marked shows text with the places that match the query.
export function Marked({ text, marks }: { text: string; marks: readonly Mark[] }) {
  return pieces(text, marks.slice(0, most)).map((piece, i) => (piece.marked ? <mark key={i}>{piece.text}</mark> : <span key={i}>{piece.text}</span>));
}
