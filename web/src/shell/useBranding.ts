import { useEffect } from 'react';

import type { Branding } from '../api';

// colours are the names under which pages and Mantine know the accent.
const colours = ['--m-brand', '--mantine-primary-color-filled', '--mantine-primary-color-filled-hover', '--mantine-color-petrol-filled', '--mantine-color-petrol-filled-hover'];

// useBranding gives buttons and the head of the page the colour of a reseller. The
// server takes only colours on which white letters can be read.
export function useBranding(branding: Branding | undefined): void {
  const accent = branding?.accent;
  useEffect(() => {
    const style = document.documentElement.style;
    if (!accent || !/^#[0-9a-f]{6}$/u.test(accent)) {
      return undefined;
    }
    colours.forEach((name) => style.setProperty(name, accent));
    document.documentElement.dataset['branded'] = '';
    return () => {
      colours.forEach((name) => style.removeProperty(name));
      delete document.documentElement.dataset['branded'];
    };
  }, [accent]);
}
