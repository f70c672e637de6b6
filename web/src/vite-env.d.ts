/// <reference types="vite/client" />

declare module 'virtual:texts/*' {
  const texts: Readonly<Record<string, unknown>>;
  export default texts;
}
