// Runs before the first paint, so that a chosen theme never flashes the other one. A file, because a strict policy forbids inline scripts.
;(() => {
  let theme
  try {
    theme = localStorage.getItem('taximeter.theme')
  } catch {
    return
  }
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
})()
