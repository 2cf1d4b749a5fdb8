import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Map;
import org.flywaydb.core.Flyway;

/** Runs the verbs that come on standard input, one a line ("baseline 1" has its version), each ended by a line END. */
public class RunFlyway {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            Flyway flyway = Flyway.configure()
                .dataSource(args[0], "postgres", "postgres")
                .locations("filesystem:" + args[1])
                .baselineVersion(words.length > 1 ? words[1] : "1")
                .placeholders(Map.of("debezium_user", "debezium_user", "debezium_password", "debezium_password",
                                     "debezium_storefront_publication_name", "storefront_pub"))
                // a lock in a transaction lets CREATE INDEX CONCURRENTLY wait for ever: Flyway's documented way out
                .configuration(Map.of("flyway.postgresql.transactional.lock", "false"))
                .load();
            try {
                run(flyway, words[0]);
            } catch (Exception e) {
                System.out.println("FAILED " + e.getMessage());
            }
            System.out.println("END");
        }
    }

    static void run(Flyway flyway, String verb) {
        switch (verb) {
            case "migrate" -> System.out.println("APPLIED " + flyway.migrate().migrationsExecuted);
            case "validate" -> flyway.validate();
            case "baseline" -> flyway.baseline();
            case "repair" -> flyway.repair();
        }
        for (var row : flyway.info().all())
            System.out.println("ROW " + (row.getVersion() == null ? row.getDescription() : row.getVersion()) + "=" +
                               row.getState().getDisplayName());
    }
}
