import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { startTexts } from './locales/i18n.ts'
import { applyTheme } from './theme/theme.ts'
import './theme/base.css'

const root = document.getElementById('root')
if (!root) throw new Error('The page has no root element')
applyTheme()
await startTexts()
createRoot(root).render(<App />)
