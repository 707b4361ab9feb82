// naught 1.6.0 writes its pid file with a number for the content, which Node.js takes since version 14 for a mistake.
const fs = require('node:fs');

const { writeFile } = fs;
fs.writeFile = (path, data, ...rest) =>
  writeFile(path, typeof data === 'number' ? String(data) : data, ...rest);
