#!/usr/bin/env node
import { runProgram } from '../client/cli/run.js'
import { PROGRAM } from './program.js'

process.exitCode = await runProgram(PROGRAM, process.argv.slice(2))
process.exit()
