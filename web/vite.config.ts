import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

import { textsInParts } from './texts.ts';

// MUNIMENT_URL lets the development server speak to a server that runs elsewhere.
const server = process.env['MUNIMENT_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), textsInParts()],
  // The server's content security policy allows neither inlined scripts nor
  // fonts from data: addresses, so everything stays a file.
  build: { assetsInlineLimit: 0, sourcemap: false, target: 'es2022', chunkSizeWarningLimit: 700 },
  server: { host: '127.0.0.1', proxy: { '/api': { target: server } } },
  test: { environment: 'node', testTimeout: 120_000, include: ['src/**/*.test.ts'] },
});
