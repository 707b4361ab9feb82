// A small application with a framework.
import express from 'express';

const app = express();
app.get('/', (request, response) => {
  response.send(String(process.pid));
});
app.listen(process.env.PORT);
