import { createTheme, defaultVariantColorsResolver, type MantineColorsTuple } from '@mantine/core';

// One calm accent; every other colour on a page means something.
const teal: MantineColorsTuple = [
  '#eef8f8', '#dbeeee', '#b3dcdb', '#86c9c8', '#5db5b4', '#3a9d9c', '#1f8584', '#0f6f6f', '#0b5b5c', '#07484a',
];

// The greys of the dark scheme lean to the accent, as those of the light one do.
const night: MantineColorsTuple = [
  '#dfe4e7', '#c3cbd0', '#a3adb4', '#7d878e', '#596269', '#3d454a', '#2a3034', '#1d2124', '#171a1d', '#111416',
];

export const theme = createTheme({
  primaryColor: 'petrol',
  primaryShade: 7,
  autoContrast: true,
  // Mantine's orange on light orange is too weak to read.
  variantColorResolver: (input) => {
    const colours = defaultVariantColorsResolver(input);
    return input.variant === 'light' && input.color === 'orange' ? { ...colours, color: 'var(--m-demo)' } : colours;
  },
  colors: { petrol: teal, dark: night },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  respectReducedMotion: true,
  focusRing: 'auto',
});
