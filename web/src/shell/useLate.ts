import { useEffect, useState } from 'react';

// useLate becomes true once something has been going on for longer than people
// take for at once (300 ms), so that quick answers do not flicker.
export function useLate(going: boolean, delay = 300): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!going) {
      return;
    }
    const timer = setTimeout(() => setLate(true), delay);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [going, delay]);
  return going && late;
}
