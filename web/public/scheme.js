// Sets the colour scheme before the first paint, so that nothing flashes. A file of
// its own because the content security policy allows no inline script.
(function () {
  var wanted = 'auto';
  try {
    wanted = localStorage.getItem('muniment-scheme') || 'auto';
  } catch {
    // Storage is switched off: follow the system.
  }
  var dark = wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
