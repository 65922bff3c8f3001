/** Two ends and what flows between them. Stands out on light and on dark tabs. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2563d9"/><path d="M6 16h17M17 9.5l6.5 6.5-6.5 6.5" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/></svg>`

export const ICON_URL = `data:image/svg+xml,${encodeURIComponent(ICON)}`
