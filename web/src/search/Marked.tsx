import type { Mark } from '../api';
import { pieces } from './queryText';

// Marked shows text with the places that match the query.
export function Marked({ text, marks }: { text: string; marks: readonly Mark[] }) {
  return pieces(text, marks).map((piece, i) => (piece.marked ? <mark key={i}>{piece.text}</mark> : <span key={i}>{piece.text}</span>));
}
