// naught 1.6.0 writes a number as the content of its pid file, which Node.js 14 and newer reject.
const fs = require('node:fs');

const { writeFile } = fs;
fs.writeFile = (path, data, ...rest) =>
  writeFile(path, typeof data === 'number' ? String(data) : data, ...rest);
