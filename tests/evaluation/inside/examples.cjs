// Run inside the sandbox: the examples in a module's comment, with another text in the place of the module's.
// Reads a job as JSON from stdin and writes the verdict as JSON to stdout. The code under test lives in a context
// of its own, which has no `process` and whose `require` finds nothing but the package's own files.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const util = require('node:util')
const vm = require('node:vm')

const job = JSON.parse(fs.readFileSync(0, 'utf8'))
const replaced = path.join(job.root, job.path)
const context = vm.createContext({})
const loaded = new Map()

fs.writeSync(1, JSON.stringify(examine()))
process.exit(0)

function examine() {
  try {
    load(replaced)
  } catch (error) {
    return { passed: false, parses: !(error && error.unparseable), why: `import: ${error && error.name}` }
  }
  evaluate('var console = { log: function () {} }')
  context[job.library] = new Proxy({}, { get: (_, name) => member(name) })
  for (const example of job.examples) {
    let same = false
    try {
      const actual = evaluate(example.code)
      same = example.expected === null || util.isDeepStrictEqual(actual, evaluate(`(${example.expected})`))
    } catch (error) {
      return { passed: false, parses: true, why: `example: ${error && error.name}` }
    }
    if (!same) return { passed: false, parses: true, why: 'example' }
  }
  return { passed: job.examples.length > 0, parses: true, why: '' }
}

function evaluate(code) {
  return vm.runInContext(code, context)
}

function member(name) {
  const file = path.join(path.dirname(replaced), `${String(name)}.js`)
  return typeof name === 'string' && fs.existsSync(file) ? load(file) : undefined
}

function load(file) {
  if (!loaded.has(file)) {
    const module = { exports: evaluate('({})') }
    loaded.set(file, module)
    compile(file)(module.exports, (name) => load(resolve(file, name)), module)
  }
  return loaded.get(file).exports
}

function compile(file) {
  const text = file === replaced ? job.source : fs.readFileSync(file, 'utf8')
  try {
    return vm.compileFunction(text, ['exports', 'require', 'module'], { filename: file, parsingContext: context })
  } catch (error) {
    throw Object.assign(new Error('it does not parse'), { unparseable: file === replaced })
  }
}

function resolve(from, name) {
  const wanted = path.resolve(path.dirname(from), name)
  const file = [wanted, `${wanted}.js`, path.join(wanted, 'index.js')].find(
    (candidate) => fs.existsSync(candidate) && fs.statSync(candidate).isFile()
  )
  if (!name.startsWith('.') || !file || !file.startsWith(job.root + path.sep)) throw new Error(`no module ${name}`)
  return file
}
