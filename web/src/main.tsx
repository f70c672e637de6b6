import '@mantine/core/styles.css';
import './app.css';
import './shared.css';

import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { startLanguage } from './i18n';
import { queries } from './queries';
import { router } from './router';
import { theme } from './theme';

const schemes = localStorageColorSchemeManager({ key: 'muniment-scheme' }); // public/scheme.js reads the same key

const root = document.getElementById('root');
if (!root) {
  throw new Error('index.html has no element #root');
}
// No top-level await: it would take the router, with its styles, into a file of its own,
// and Mantine's styles would come after ours.
void startLanguage().then(() => createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={schemes}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
));
