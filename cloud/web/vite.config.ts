import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const here = fileURLToPath(new URL('.', import.meta.url))
const outDir = fileURLToPath(new URL('dist', import.meta.url))

/** Lays a `.br` and a `.gz` beside every text asset, so that the server sends the best compression without spending time on it. */
function precompress(): Plugin {
  return {
    name: 'andon-precompress',
    apply: 'build',
    closeBundle() {
      const assets = join(outDir, 'assets')
      for (const name of readdirSync(assets).filter((file) => /\.(js|css)$/.test(file))) {
        const bytes = readFileSync(join(assets, name))
        writeFileSync(join(assets, `${name}.br`), brotliCompressSync(bytes))
        writeFileSync(join(assets, `${name}.gz`), gzipSync(bytes, { level: 9 }))
      }
    },
  }
}

/** Development proxies the API to the cloud service on its usual port; the build is what the cloud service serves. */
export default defineConfig({
  root: here,
  plugins: [react(), precompress()],
  server: { host: '127.0.0.1', proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } } },
  build: { outDir, emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 700 },
})
