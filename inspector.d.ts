export * from './types/inspector.js'
