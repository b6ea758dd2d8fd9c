'use strict'

// Sets the colours that were chosen last, before anything is drawn.
try {
  const theme = localStorage.getItem('theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // A browser that keeps nothing shows the colours of its system.
}
