'use strict'

// Loaded before everything else where Node.js is emulated: children are started by a program that brings the emulator
// along, for the system cannot start the binary itself.

if (process.env.TEST_EXEC_PATH) process.execPath = process.env.TEST_EXEC_PATH
