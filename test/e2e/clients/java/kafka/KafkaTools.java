import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main methods of Kafka's command line tools one after the other in one JVM, since starting a JVM costs more
 * than what most of them do.  Each is called with the arguments and the input it would have in a process of its own; what it
 * prints and the code it exits with come back.
 *
 * One request a line: base64 of the input, the class, and the arguments.  One answer a line: the exit code, base64 of stdout and stderr.
 */
public class KafkaTools {
    private static final class Exited extends Error {
        final int code;

        Exited(int code, String message) {
            super(message, null, false, false);
            this.code = code;
        }
    }

    /** Tools keep the System.out they saw first (Scala's do): the stream stays, its target changes. */
    private static final class Target extends OutputStream {
        volatile ByteArrayOutputStream to = new ByteArrayOutputStream();

        @Override
        public void write(int b) {
            to.write(b);
        }

        @Override
        public void write(byte[] bytes, int from, int len) {
            to.write(bytes, from, len);
        }
    }

    private static final Base64.Encoder ENCODE = Base64.getEncoder();
    private static final Base64.Decoder DECODE = Base64.getDecoder();

    /** The first one is what the process would have ended with: some tools catch all that is thrown at them, and exit again. */
    private static volatile Exited exited;
    private static final List<Runnable> hooks = new ArrayList<>();

    private static void exit(int code, String message) {
        Exited now = new Exited(code, message);
        if (exited == null)
            exited = now;
        throw now;
    }

    private static int run(String tool, String[] arguments) throws ReflectiveOperationException {
        exited = null;
        hooks.clear();
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException thrown) {
            if (exited == null) {
                thrown.getCause().printStackTrace();
                exited = new Exited(1, null);
            }
        }
        hooks.forEach(Runnable::run);
        return exited == null ? 0 : exited.code;
    }

    public static void main(String[] unused) throws Exception {
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in));
        PrintStream answers = System.out;
        Target out = new Target(), err = new Target();
        System.setOut(new PrintStream(out, true));
        System.setErr(new PrintStream(err, true));
        Exit.setExitProcedure(KafkaTools::exit);
        Exit.setHaltProcedure(KafkaTools::exit);
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        for (String line; (line = requests.readLine()) != null;) {
            List<String> words = new ArrayList<>();
            for (String word : line.split(" "))
                words.add(new String(DECODE.decode(word), "UTF-8"));
            System.setIn(new ByteArrayInputStream(words.get(0).getBytes("UTF-8")));
            out.to = new ByteArrayOutputStream();
            err.to = new ByteArrayOutputStream();
            int code = run(words.get(1), words.subList(2, words.size()).toArray(new String[0]));
            System.out.flush();
            System.err.flush();
            answers.println(code + " " + ENCODE.encodeToString(out.to.toByteArray()) + " "
                    + ENCODE.encodeToString(err.to.toByteArray()));
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }
}
